using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>Keys of the table of images that models were fitted to; its rows go with the model.</summary>
internal sealed class StoredModelImageConfiguration : IEntityTypeConfiguration<StoredModelImage>
{
    public void Configure(EntityTypeBuilder<StoredModelImage> image)
    {
        image.HasKey(i => new
        {
            i.Category,
            i.Version,
            i.Position,
        });
        image
            .HasOne<StoredModel>()
            .WithMany()
            .HasForeignKey(i => new { i.Category, i.Version })
            .OnDelete(DeleteBehavior.Cascade);
    }
}
