using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;
using PaDiM.Service.Data;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Fitting;

/// <summary>Represents a fit that this machine can run: its inputs, read once, and what it needs.</summary>
/// <param name="Category">The category as it is stored.</param>
/// <param name="Images">The different images of normal parts.</param>
/// <param name="Backbone">The network.</param>
/// <param name="Missing">The number of images that have no embedding yet.</param>
/// <param name="Estimate">What the fit needs.</param>
internal sealed record FitPlan(
    Category Category,
    IReadOnlyList<PlannedImage> Images,
    Backbone Backbone,
    int Missing,
    JobEstimate Estimate
)
{
    /// <summary>Gets what to compute.</summary>
    public FitSettings Settings => Category.Settings.Fit;
}

/// <summary>Represents an image of a fit.</summary>
/// <param name="Sha256">SHA-256 of its bytes.</param>
/// <param name="Size">Rows and columns, upright.</param>
internal sealed record PlannedImage(string Sha256, Grid Size);
