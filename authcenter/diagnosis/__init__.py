"""What is wrong with a deployment, judged from facts that others have gathered. Asks nobody and changes nothing."""
