using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Migrations
{
    /// <inheritdoc />
    public partial class JobsByCategory : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "IX_Jobs_Category_Id",
                table: "Jobs",
                columns: new[] { "Category", "Id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Jobs_Category_Id",
                table: "Jobs");
        }
    }
}
