using PaDiM.EndToEnd.Tests.Support;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(PublishedService))]
[assembly: AssemblyFixture(typeof(LocalBrowser))]
// One program serves all tests, and the data sets take every core.
[assembly: Parallelization(Mode = ParallelMode.None)]
