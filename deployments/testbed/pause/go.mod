module highbeam.invalid/testbed/pause

go 1.26.0
