module davy-host

go 1.19
