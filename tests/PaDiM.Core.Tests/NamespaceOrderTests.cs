using PaDiM.Core.Geometry;
using PaDiM.TestSupport.Architecture;

namespace PaDiM.Core.Tests;

public sealed class NamespaceOrderTests
{
    [Fact]
    public void Static_calls_and_locals_in_method_bodies_count()
    {
        var order = new NamespaceOrder("PaDiM.Core")
            .AddShared("")
            .AddShared("Geometry")
            .Add("Alignment")
            .Add("Embedding")
            .Add("Statistics.Simd")
            .Add("Statistics", "Embedding")
            .Add("Scoring", "Embedding", "Statistics")
            .Add("Calibration", "Embedding", "Statistics", "Scoring")
            .Add("Evaluation")
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
            );
        var violations = order.FindViolations(typeof(Grid).Assembly);
        Assert.Contains("PaDiM.Core.Persistence is not listed.", violations);
        // PixelLabels only calls a static method of ConnectedComponents; TriangleBlocks only tests Lanes512 for
        // support.
        Assert.Contains(violations, text => text.StartsWith("PaDiM.Core.Evaluation must not use PaDiM.Core.Scoring ("));
        Assert.Contains(
            violations,
            text => text.StartsWith("PaDiM.Core.Statistics must not use PaDiM.Core.Statistics.Simd (")
        );
        Assert.Equal(3, violations.Count);
    }

    [Fact]
    public void A_listed_namespace_without_types_is_reported()
    {
        var order = new NamespaceOrder("PaDiM.Core.Geometry").Add("").Add("Solids");
        Assert.Equal(
            ["PaDiM.Core.Geometry.Solids is listed but has no types."],
            order.FindViolations(typeof(Grid).Assembly)
        );
    }

    [Fact]
    public void A_namespace_cannot_use_one_that_is_listed_later() =>
        Assert.Throws<ArgumentException>(() => new NamespaceOrder("A").Add("B", "C").Add("C", "B"));
}
