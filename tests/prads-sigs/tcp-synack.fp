*:64:1:44:M*:ZA:Linux:example server
*:64:1:48:M%1460,N,N,S:ZA:-Other:server
