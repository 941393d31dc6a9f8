using Xunit.Sdk;
using Xunit.v3;

// Trials mostly wait for programs to start and for leases to end, so two of them share a machine well. Those that
// measure memory or time run alone: see MeasuresTheMachine.
[assembly: Parallelization(Mode = ParallelMode.Collections)]
