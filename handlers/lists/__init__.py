"""What lists share: pages, cursors and exports."""
