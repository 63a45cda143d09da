"""What runs beside the requests: keeps this process in step with the record and with its policy."""
