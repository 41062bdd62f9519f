http,v/Example/$1/$2/,Server: Example\/(\S+) \((.*)\)
ssh,v/OpenSSH/$2/Protocol $1/,SSH-([.\d]+)-OpenSSH[_-](\S+)
http,v/HTTP $1///,^HTTP\/(\d\.\d)
