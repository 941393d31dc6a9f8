using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport.Architecture;

namespace PaDiM.Imaging.Tests;

public sealed class ArchitectureTests
{
    /// <summary>The image and its layouts are the bottom; the three steps know nothing of each other.</summary>
    [Fact]
    public void Namespaces_form_a_partial_order()
    {
        var order = new NamespaceOrder("PaDiM.Imaging")
            .AddShared("")
            .Add("Decoding")
            .Add("Preprocessing")
            .Add("Heatmaps");
        Assert.Empty(order.FindViolations(typeof(ImageDecoder).Assembly));
    }
}
