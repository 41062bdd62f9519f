# doc
dist_doc_DATA = README.md NEWS doc/architecture.md doc/detectors.md doc/eve.md doc/events.md doc/futures.md doc/inline.md doc/streams.md
