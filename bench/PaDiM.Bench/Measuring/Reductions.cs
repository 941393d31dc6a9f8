using System.CommandLine;
using PaDiM.Core.Embedding;

namespace PaDiM.Bench.Measuring;

/// <summary>The ways of reducing channels that are measured: the default, and the paper's.</summary>
internal static class Reductions
{
    public static readonly ReductionMethod[] Both = [ReductionMethod.SemiOrthogonal, ReductionMethod.Random];

    /// <summary>Which of them to measure.</summary>
    public static Option<ReductionMethod[]> Option() =>
        new("--reduction")
        {
            Description = "How channels are reduced, a table each.",
            DefaultValueFactory = _ => Both,
            AllowMultipleArgumentsPerToken = true,
        };

    /// <summary>For titles.</summary>
    public static string InWords(this ReductionMethod reduction) =>
        reduction switch
        {
            ReductionMethod.Random => "channels chosen at random",
            ReductionMethod.SemiOrthogonal => "channels projected",
            _ => "all channels",
        };

    /// <summary>For names of charts; empty for the default.</summary>
    public static string InNames(this ReductionMethod reduction) =>
        reduction == ReductionMethod.Random ? "random-" : "";
}
