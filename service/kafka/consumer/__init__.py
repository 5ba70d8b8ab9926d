"""Parts of aiokafka's consumer that are replaced: its fetcher, and static members of a group."""
