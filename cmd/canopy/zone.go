package main

// The time zones are inside the binary: the machine it runs on may have none.
import _ "time/tzdata"
