namespace PaDiM.Service.Models;

/// <summary>
/// The models that score one photograph: that of the category it is sent to, and those of the categories that take
/// their images from it, its regions of interest.
/// </summary>
/// <param name="Category">Name of the category that the photograph is sent to; it may have no model itself.</param>
/// <param name="Models">At least one; the category's own is the first.</param>
internal sealed record PartModels(string Category, IReadOnlyList<CategoryModel> Models)
{
    /// <summary>Gets whether other categories than the one it is sent to score the photograph.</summary>
    public bool HasRegions => Models.Count > 1 || Models[0].Category != Category;
}
