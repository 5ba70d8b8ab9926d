"""What stands where aiokafka's clients stand."""
