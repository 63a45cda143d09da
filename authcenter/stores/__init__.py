"""Where state lives. Services know ``stores.ports``; only ``authcenter.wiring`` knows which store it is."""
