using PaDiM.Backbones.Architectures;
using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Tests.Architectures;

/// <summary>The catalogue lists the taps of the graph builders, because the engine cannot ask the builders.</summary>
public sealed class CatalogueTapsTests
{
    [Fact]
    public void Every_architecture_has_an_entry() =>
        Assert.Equal(
            BackboneArchitecture.Names.Order(StringComparer.Ordinal),
            BackboneCatalogue
                .Known.Entries.Select(entry => entry.Architecture)
                .OfType<string>()
                .Distinct()
                .Order(StringComparer.Ordinal)
        );

    [Fact]
    public void The_taps_of_every_entry_are_those_of_its_architecture() =>
        Assert.All(
            BackboneCatalogue.Known.Entries,
            entry => Assert.Equal(entry.Architecture is { } name ? BackboneArchitecture.GetTaps(name) : [], entry.Taps)
        );
}
