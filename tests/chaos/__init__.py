"""The service under faults on real Apache Kafka: three brokers, three processes, one judge.

What runs is the shipped service in processes of its own, on three brokers that keep three copies
of everything. The harness feeds it records that say who they are (`load`), harms it, the brokers,
the network between and the topics (`faults_*`, `proxy`, `wrapped`), reads what comes out beside it
(`readers`), and judges that (`oracle`) and what it has deleted itself (`accounts`). A fault counts
only where its effect was seen. Negative controls (`sabotage`) show that the judge would see a
service that loses, doubles or delays records.
"""
