enable_dns = true
