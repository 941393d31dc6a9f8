using Microsoft.EntityFrameworkCore;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Data;

namespace PaDiM.Service.Images;

/// <summary>Finds the depth of a category's images.</summary>
internal static class ImageDepth
{
    /// <summary>Gets how the images of a category become pixels, at full size.</summary>
    public static async Task<DecodeOptions> GetDecodingAsync(
        this PadimDbContext db,
        string category,
        CancellationToken cancellationToken
    ) =>
        new()
        {
            SignificantBits = await db
                .Categories.Where(c => c.Name == category)
                .Select(c => c.Settings.SignificantBits)
                .SingleOrDefaultAsync(cancellationToken),
        };
}
