from . import bench_baseline
from . import bench_orders
from . import bench_stock
