using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Acquisition;

/// <summary>Represents an installed backbone.</summary>
/// <param name="File">The backbone.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Changed">False if the same bytes were already installed.</param>
/// <param name="Notice">A sentence about what was changed in its graph, or could not be; null if there is
/// none.</param>
public sealed record Installation(BackboneFile File, BackboneManifest Manifest, bool Changed, string? Notice = null);
