using PaDiM.Backbones.Architectures;
using PaDiM.TestSupport.Architecture;

namespace PaDiM.Backbones.Tests;

public sealed class ArchitectureTests
{
    /// <summary>Weights become networks, whose sizes are free when they are installed; quantisation stands alone.</summary>
    [Fact]
    public void Namespaces_form_a_partial_order()
    {
        var order = new NamespaceOrder("PaDiM.Backbones")
            .Add("Weights")
            .Add("Architectures", "Weights")
            .Add("Sizes")
            .Add("Acquisition", "Architectures", "Sizes")
            .Add("Quantisation");
        Assert.Empty(order.FindViolations(typeof(BackboneArchitecture).Assembly));
    }

    [Fact]
    public void Only_one_class_opens_ONNX_Runtime() => Assert.Empty(OnnxRuntimeUse.FindDetours());
}
