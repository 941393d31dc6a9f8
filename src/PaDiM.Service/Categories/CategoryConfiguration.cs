using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using PaDiM.Service.Data;

namespace PaDiM.Service.Categories;

/// <summary>Keys and concurrency of the table of categories.</summary>
internal sealed class CategoryConfiguration : IEntityTypeConfiguration<Category>
{
    public void Configure(EntityTypeBuilder<Category> category)
    {
        category.HasKey(c => c.Name);
        category.OwnsOne(c => c.Settings, settings => settings.ToJson());
        category.Property(c => c.Revision).IsConcurrencyToken();
    }
}
