using Xunit.Sdk;
using Xunit.v3;

// Trials put a machine under load and wait for what it does then: one after the other, or they measure each other.
[assembly: Parallelization(Mode = ParallelMode.None)]
