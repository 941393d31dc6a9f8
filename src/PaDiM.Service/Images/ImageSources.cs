using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;

namespace PaDiM.Service.Images;

/// <summary>Finds the images of a category, which may be those of another one.</summary>
internal static class ImageSources
{
    /// <summary>
    /// Gets the name of the category that has the images of a category: another one or itself, also if it does not
    /// exist.
    /// </summary>
    public static async Task<string> GetImageSourceAsync(
        this PadimDbContext db,
        string category,
        CancellationToken cancellationToken
    ) =>
        await db
            .Categories.Where(c => c.Name == category)
            .Select(c => c.Settings.ImagesOf)
            .SingleOrDefaultAsync(cancellationToken)
        ?? category;
}
