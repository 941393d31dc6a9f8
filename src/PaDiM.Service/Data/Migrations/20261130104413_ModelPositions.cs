using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Migrations
{
    /// <inheritdoc />
    public partial class ModelPositions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Positions",
                table: "Models",
                type: "TEXT",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Positions",
                table: "Models");
        }
    }
}
