using System.Reflection;
using PaDiM.TestSupport.Architecture;

namespace PaDiM.Cli.Tests;

public sealed class ArchitectureTests
{
    /// <summary>The root composes the commands, so it comes last but for the commands that share its options.</summary>
    [Fact]
    public void Namespaces_form_a_partial_order()
    {
        var order = new NamespaceOrder("PaDiM.Cli")
            .Add("Samples")
            .AddShared("", "Samples")
            .Add("Backbones")
            .Add("Watch")
            .Add("Evaluation.Datasets")
            .Add("Evaluation", "Evaluation.Datasets");
        Assert.Empty(order.FindViolations(Assembly.Load("padim")));
    }

    [Fact]
    public void Only_one_class_opens_ONNX_Runtime() => Assert.Empty(OnnxRuntimeUse.FindDetours());
}
