module highbeam.invalid/testbed/relay

go 1.26.0
