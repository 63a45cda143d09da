"""Pages for people: server-rendered, without script. They show and ask; what is decided, the layers below decide."""
