using Archiver.Testing;

[assembly: AssemblyFixture(typeof(TestServers))]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
