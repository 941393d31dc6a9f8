using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Learning;

/// <summary>Indexes of the table of lookbacks.</summary>
internal sealed class StoredLookbackConfiguration : IEntityTypeConfiguration<StoredLookback>
{
    public void Configure(EntityTypeBuilder<StoredLookback> lookback)
    {
        lookback.HasIndex(row => new { row.Category, row.Id });
        lookback.HasOne<Category>().WithMany().HasForeignKey(row => row.Category).OnDelete(DeleteBehavior.Cascade);
    }
}
