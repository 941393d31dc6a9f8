using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace PaDiM.Service.Data;

/// <summary>Lets <c>dotnet ef migrations add</c> see the model without starting the service.</summary>
internal sealed class DesignTimeContext : IDesignTimeDbContextFactory<PadimDbContext>
{
    public PadimDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PadimDbContext>().UseSqlite("Data Source=design.db").Options);
}
