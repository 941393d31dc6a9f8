using PaDiM.TestSupport.Architecture;

namespace PaDiM.Client.Tests;

public sealed class ArchitectureTests
{
    [Fact]
    public void The_client_is_one_namespace() =>
        Assert.Empty(new NamespaceOrder("PaDiM.Client").Add("").FindViolations(typeof(PadimClient).Assembly));

    [Fact]
    public void The_client_needs_no_other_project() =>
        Assert.DoesNotContain(
            typeof(PadimClient).Assembly.GetReferencedAssemblies(),
            assembly => assembly.Name!.StartsWith("PaDiM", StringComparison.Ordinal)
        );
}
