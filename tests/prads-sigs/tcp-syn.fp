# Systems of the project's own captures.
65535:64:1:52:M1460,S,N,W7,E,E:PZ:Linux:example
*:64:1:44:M*:Z:@Generic:one option only
65535:64:1:44:M1460:Z:Never:reached
