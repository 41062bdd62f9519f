02:00:00	TestVendor # example
02:00:00:00:00:02	One
