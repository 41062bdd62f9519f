http,v/$1///,User-Agent\x3a (.*)\r
http,v/GET///,^GET
