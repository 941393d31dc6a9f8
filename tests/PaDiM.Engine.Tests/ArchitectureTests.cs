using PaDiM.Engine.Inference;
using PaDiM.TestSupport.Architecture;

namespace PaDiM.Engine.Tests;

public sealed class ArchitectureTests
{
    /// <summary>From files and graphs to sessions, and from sessions to the pipelines.</summary>
    [Fact]
    public void Namespaces_form_a_partial_order()
    {
        var order = new NamespaceOrder("PaDiM.Engine")
            .AddShared("")
            .AddShared("Faults")
            .AddShared("Files")
            .AddShared("Machine")
            .Add("Catalogue")
            .AddShared("Graphs.Schema")
            .Add("Graphs", "Catalogue")
            .Add("Inference", "Catalogue", "Graphs")
            .Add("Scoring", "Catalogue", "Graphs", "Inference")
            .Add("Fitting", "Inference", "Scoring")
            .Add("Evaluation", "Inference", "Scoring")
            .Add("Export", "Catalogue", "Graphs", "Inference");
        Assert.Empty(order.FindViolations(typeof(Backbone).Assembly));
    }

    [Fact]
    public void Only_one_class_opens_ONNX_Runtime() => Assert.Empty(OnnxRuntimeUse.FindDetours());
}
