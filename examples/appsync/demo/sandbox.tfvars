min_size     = 2
max_size     = 5
default_type = "t3.large"
