namespace PaDiM.Trials.Support;

/// <summary>
/// How long trials last: a short form with every test run, the full form with <c>PADIM_TRIALS=full</c>.
/// </summary>
internal static class TrialLength
{
    public static bool Full { get; } = Environment.GetEnvironmentVariable("PADIM_TRIALS") == "full";

    /// <summary>Rounds, seconds or clients of a trial.</summary>
    public static int Of(int shortForm, int fullForm) => Full ? fullForm : shortForm;
}
