using System.CommandLine;
using PaDiM.Core.Embedding;

namespace PaDiM.Bench.Measuring;

/// <summary>The measured channel reductions: the default, and the paper's.</summary>
internal static class Reductions
{
    public static readonly ReductionMethod[] Both = [ReductionMethod.SemiOrthogonal, ReductionMethod.Random];

    /// <summary>Creates the option that selects reductions.</summary>
    public static Option<ReductionMethod[]> CreateOption() =>
        new("--reduction")
        {
            Description = "Channel reductions, one table each.",
            DefaultValueFactory = _ => Both,
            AllowMultipleArgumentsPerToken = true,
        };

    /// <summary>Formats a reduction for titles.</summary>
    public static string ToText(this ReductionMethod reduction) =>
        reduction switch
        {
            ReductionMethod.Random => "random channels",
            ReductionMethod.SemiOrthogonal => "projected channels",
            _ => "all channels",
        };

    /// <summary>Gets the prefix for file names of charts; empty for the default.</summary>
    public static string ToFileNamePrefix(this ReductionMethod reduction) =>
        reduction == ReductionMethod.Random ? "random-" : "";
}
