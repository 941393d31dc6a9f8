using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Core.InputChecks;
using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>Keys and indexes of the table of model versions.</summary>
internal sealed class StoredModelConfiguration : IEntityTypeConfiguration<StoredModel>
{
    public void Configure(EntityTypeBuilder<StoredModel> stored)
    {
        stored.HasKey(m => new { m.Category, m.Version });
        stored.HasIndex(m => m.JobId).IsUnique();
        stored.OwnsMany(m => m.Outliers, outliers => outliers.ToJson());
        stored.OwnsMany(m => m.Findings, findings => findings.ToJson());
        stored
            .Property(m => m.Profile)
            .HasConversion(
                profile => JsonSerializer.Serialize(profile, JsonSerializerOptions.Default),
                json => JsonSerializer.Deserialize<InputProfile>(json, JsonSerializerOptions.Default)
            );
        stored.HasOne<Category>().WithMany().HasForeignKey(m => m.Category).OnDelete(DeleteBehavior.Cascade);
    }
}
