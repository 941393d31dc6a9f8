using System.CommandLine;
using PaDiM.Core.Embedding;

namespace PaDiM.Bench.Measuring;

/// <summary>The ways of reducing channels that are measured: the default, and the paper's.</summary>
internal static class Reductions
{
    public static readonly ReductionMethod[] Both = [ReductionMethod.SemiOrthogonal, ReductionMethod.Random];

    /// <summary>Which of them to measure.</summary>
    public static Option<ReductionMethod[]> CreateOption() =>
        new("--reduction")
        {
            Description = "How channels are reduced, a table each.",
            DefaultValueFactory = _ => Both,
            AllowMultipleArgumentsPerToken = true,
        };

    /// <summary>For titles.</summary>
    public static string ToText(this ReductionMethod reduction) =>
        reduction switch
        {
            ReductionMethod.Random => "channels chosen at random",
            ReductionMethod.SemiOrthogonal => "channels projected",
            _ => "all channels",
        };

    /// <summary>For names of charts; empty for the default.</summary>
    public static string ToFileNamePrefix(this ReductionMethod reduction) =>
        reduction == ReductionMethod.Random ? "random-" : "";
}
