65535:64:1:40:.:KZA:Linux:refused
