using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Images;

/// <summary>Indexes of the table of images.</summary>
internal sealed class StoredImageConfiguration : IEntityTypeConfiguration<StoredImage>
{
    public void Configure(EntityTypeBuilder<StoredImage> image)
    {
        image.HasIndex(i => new { i.Category, i.Sha256 }).IsUnique();
        image.HasIndex(i => new
        {
            i.Category,
            i.Label,
            i.Id,
        });
        image.HasIndex(i => i.Sha256);
        image.HasIndex(i => new { i.Category, i.PixelSha256 });
        image.HasOne<Category>().WithMany().HasForeignKey(i => i.Category).OnDelete(DeleteBehavior.Cascade);
    }
}
