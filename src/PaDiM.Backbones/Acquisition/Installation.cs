using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Acquisition;

/// <summary>A backbone that is in its place.</summary>
/// <param name="File">The backbone.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Changed">False where it was there already, byte for byte.</param>
public sealed record Installation(BackboneFile File, BackboneManifest Manifest, bool Changed);
