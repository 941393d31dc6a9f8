namespace PaDiM.Trials.Support;

/// <summary>
/// Collects the trials that measure memory or time, or that put the machine under load. They run after all others, one
/// at a time: beside other trials they would measure those too.
/// </summary>
[CollectionDefinition(nameof(MeasuresTheMachine), DisableParallelization = true)]
public sealed class MeasuresTheMachine;
