# lib/port
