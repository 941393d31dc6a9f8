using System.Xml.Linq;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Architecture;

namespace PaDiM.Service.Tests;

public sealed class ArchitectureTests
{
    /// <summary>
    /// From the bottom to the top: what every feature shares, the features, and what composes them. A feature may use
    /// only the features that its line names.
    /// </summary>
    [Fact]
    public void Namespaces_form_a_partial_order()
    {
        var order = new NamespaceOrder("PaDiM.Service")
            .AddShared("Diagnostics")
            .AddShared("Objects")
            .AddShared("Http")
            .AddShared("Roles")
            .AddShared("Memory")
            .AddShared("Data")
            .Add("Data.Migrations")
            .Add("Data.Postgres.Migrations")
            .Add("Data.Ledger.Migrations")
            .Add("Data.Ledger.Postgres.Migrations")
            .AddShared("Background")
            .Add("CommandLine")
            .AddShared("Access", "CommandLine")
            .Add("Backbones")
            .Add("Categories", "Backbones")
            .Add("Admission", "Backbones")
            .Add("Images", "Categories", "Admission")
            .Add("Jobs", "Categories")
            .Add("Models", "Categories", "Images", "Jobs")
            .Add("Datasets", "Categories", "Images", "Models")
            .Add("Fitting", "Categories", "Images", "Jobs", "Models")
            .Add("Evaluations", "Categories", "Images", "Jobs", "Models")
            .Add("Thresholds", "Categories", "Evaluations", "Images", "Models")
            .Add("Scoring", "Admission", "Categories", "Images", "Models")
            .Add("Maintenance", "CommandLine", "Models")
            .Add("Inspections", "Admission", "Categories", "Images", "Maintenance", "Models", "Scoring")
            .Add("Learning", "Admission", "Categories", "Fitting", "Images", "Inspections", "Jobs", "Models", "Scoring")
            .Add("Sinks", "Images", "Scoring")
            .Add("MqttCommands", "Admission", "Images", "Models", "Scoring", "Sinks")
            .Add("OpenInference.Messages")
            .Add("OpenInference", "OpenInference.Messages", "Admission", "Images", "Models", "Scoring")
            .Add("LookoutForVision", "Admission", "Categories", "Images", "Models", "Scoring")
            .Add("Site")
            .Add("OpenApi", "Images", "Thresholds")
            .Add("Telemetry", "Jobs", "Models", "Scoring")
            .Add("Hosting", "Admission", "Backbones", "Images", "Models", "Telemetry")
            .Add(
                "",
                "Admission",
                "Backbones",
                "Categories",
                "CommandLine",
                "Datasets",
                "Evaluations",
                "Fitting",
                "Hosting",
                "Images",
                "Inspections",
                "Jobs",
                "Learning",
                "LookoutForVision",
                "Maintenance",
                "Models",
                "MqttCommands",
                "OpenApi",
                "OpenInference",
                "Scoring",
                "Site",
                "Sinks",
                "Telemetry",
                "Thresholds"
            );
        Assert.Empty(order.FindViolations(typeof(Program).Assembly));
    }

    [Theory]
    [InlineData("PaDiM.Core")]
    [InlineData("PaDiM.Imaging", "PaDiM.Core")]
    [InlineData("PaDiM.Engine", "PaDiM.Imaging")]
    [InlineData("PaDiM.Backbones", "PaDiM.Engine")]
    [InlineData("PaDiM.Cli", "PaDiM.Backbones", "PaDiM.Client")]
    [InlineData("PaDiM.Service", "PaDiM.Engine")]
    public void Projects_refer_to_the_one_below_and_to_no_other(string project, params string[] expected)
    {
        var references = XDocument
            .Load(Path.Combine(Repository.Root, "src", project, $"{project}.csproj"))
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
        Assert.Equal(expected, references);
    }

    [Fact]
    public void Nothing_of_the_service_is_public() =>
        Assert.DoesNotContain(
            typeof(Program).Assembly.GetExportedTypes(),
            type => type.Namespace?.EndsWith(".Migrations", StringComparison.Ordinal) is not true
        );

    [Fact]
    public void Only_one_class_opens_ONNX_Runtime() => Assert.Empty(OnnxRuntimeUse.FindDetours());
}
