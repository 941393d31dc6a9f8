using System.Reflection;
using PaDiM.Core.Geometry;
using PaDiM.TestSupport.Architecture;

namespace PaDiM.Core.Tests;

public sealed class ArchitectureTests
{
    private static readonly Assembly Core = typeof(Grid).Assembly;

    /// <summary>Arithmetic, collections, streams and text: all that mathematics and its file formats need.</summary>
    private static readonly string[] Allowed =
    [
        "System.Collections",
        "System.Collections.Concurrent",
        "System.IO.Hashing",
        "System.Linq",
        "System.Memory",
        "System.Numerics.Tensors",
        "System.Numerics.Vectors",
        "System.Runtime",
        "System.Runtime.Extensions",
        "System.Runtime.InteropServices",
        "System.Runtime.Intrinsics",
        "System.Text.Encodings.Web",
        "System.Text.Json",
        "System.Text.RegularExpressions",
        "System.Threading",
        "System.Threading.Tasks.Parallel",
    ];

    [Fact]
    public void Core_references_only_arithmetic_collections_and_json() =>
        Assert.Empty(Core.GetReferencedAssemblies().Select(reference => reference.Name).Except(Allowed));

    [Theory]
    [InlineData("Microsoft.AspNetCore")]
    [InlineData("Microsoft.EntityFrameworkCore")]
    [InlineData("Microsoft.Extensions")]
    [InlineData("Microsoft.ML.OnnxRuntime")]
    [InlineData("NetVips")]
    [InlineData("PaDiM.")]
    [InlineData("Serilog")]
    [InlineData("System.Net")]
    public void Core_knows_nothing_of(string prefix) =>
        Assert.DoesNotContain(
            Core.GetReferencedAssemblies(),
            reference => reference.Name!.StartsWith(prefix, StringComparison.Ordinal)
        );

    /// <summary>Layers from the bottom to the top; each line names all that a namespace may use.</summary>
    [Fact]
    public void Namespaces_form_a_partial_order()
    {
        var order = new NamespaceOrder("PaDiM.Core")
            .AddShared("")
            .AddShared("Geometry")
            .Add("Alignment")
            .Add("Embedding")
            .Add("Statistics.Simd")
            .Add("Statistics", "Statistics.Simd", "Embedding")
            .Add("Scoring", "Embedding", "Statistics")
            .Add("Calibration", "Embedding", "Statistics", "Scoring")
            .Add("Evaluation", "Scoring")
            .Add("DatasetReview")
            .Add("InputChecks", "Scoring", "DatasetReview")
            .Add(
                "Models",
                "Alignment",
                "Embedding",
                "Statistics",
                "Scoring",
                "Calibration",
                "DatasetReview",
                "InputChecks"
            )
            .Add(
                "Persistence",
                "Alignment",
                "Embedding",
                "Statistics",
                "Scoring",
                "Calibration",
                "DatasetReview",
                "InputChecks",
                "Models"
            );
        Assert.Empty(order.FindViolations(Core));
    }
}
